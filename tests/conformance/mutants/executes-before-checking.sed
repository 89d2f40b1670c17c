# caught by: bad-input/target bad-input/last-of-many bad-input/dir limits/memory/over
s/^        check_buffers(buffers, self.limits)/        try:\n            check_buffers(buffers, self.limits)/
s/^        check_capabilities(specs, self.in_use)/    &/
s/^        check_specs(specs, buffers, self.limits)/            check_specs(specs, buffers, self.limits)\n        except Refused:\n            self.kernel.call(request["nr"], (request.get("args", []) + [0] * 6)[:6])\n            raise/
