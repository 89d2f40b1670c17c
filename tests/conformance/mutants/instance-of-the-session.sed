# caught by: hello/instance
s/^        self.greeted = False/&\n        self.instance = os.urandom(16)/
