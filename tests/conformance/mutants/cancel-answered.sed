# caught by: envelope/cancel/unknown envelope/cancel/running
s/^        # kind 4: a cancel.*/        if kind == 4:\n            self.refuse(request_id, 0, 1, Refused(INTERNAL, "no"))/
