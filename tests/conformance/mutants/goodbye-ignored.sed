# caught by: envelope/goodbye unknown/field/goodbye
s/^            raise Goodbye .*/            return/
