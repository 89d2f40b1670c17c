# caught by: hello/instance
s/^        self.greeted, self.in_use = False, set()/&\n        self.instance = os.urandom(16)/
