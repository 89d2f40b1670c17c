# caught by: call/args/forms
s/^            reply = {0: self.kernel.call(request\["nr"\], args)}/            self.kernel.call(request["nr"], args)\n&/
