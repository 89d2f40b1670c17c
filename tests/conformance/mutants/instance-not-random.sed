# caught by: hello/instance
s/self.instance = channel, Kernel(), os.urandom(16)/self.instance = channel, Kernel(), bytes(16)/
