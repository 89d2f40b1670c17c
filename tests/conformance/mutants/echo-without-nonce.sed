# caught by: open
s/self.channel.write(AGENT_WORD + nonce)/self.channel.write(AGENT_WORD + bytes(8))/
