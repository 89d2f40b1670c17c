# caught by: hello/version/too-new hello/version/empty
s/if not request\["version_min"\] == 0.*/if False:/
