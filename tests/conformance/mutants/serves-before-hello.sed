# caught by: hello/first/ping hello/first/call
s/if not self.greeted and op != 0:/if False:/
