# caught by: envelope/one-answer
s/^        return {0: request\["data"\]} if "data" in request else {}/        self.channel.send([1, 2, 1, 0, 1, {0: request["data"]} if "data" in request else {}])\n&/
