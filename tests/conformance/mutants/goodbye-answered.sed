# caught by: envelope/goodbye
s/^            raise Goodbye .*/            self.channel.send([5, 0, 0, 0, 0, {0: "bye"}])\n&/
