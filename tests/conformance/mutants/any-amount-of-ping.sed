# caught by: ping/too-much
s/> 1024:/> 4096:/
