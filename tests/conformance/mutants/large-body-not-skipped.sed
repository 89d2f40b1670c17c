# caught by: frame/too-large/by-one frame/too-large/by-megabytes
s/^            self.skip(size)/            self.skip(limit)/
