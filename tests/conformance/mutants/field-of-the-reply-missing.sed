# caught by: hello/reply
s/ 15: os.uname().release,//
