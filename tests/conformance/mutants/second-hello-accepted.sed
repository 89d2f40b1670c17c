# caught by: hello/again hello/again/limits
s/if self.greeted and op == 0:/if False:/
