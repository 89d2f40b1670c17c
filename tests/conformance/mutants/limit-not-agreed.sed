# caught by: hello/again/limits frame/too-large/by-one
s/self.channel.next(self.limits\["frame_limit"\])/self.channel.next(1 << 20)/
