# caught by: frame/too-large/by-one
s/^            self.skip(size)/            raise Malformed("too large")/
