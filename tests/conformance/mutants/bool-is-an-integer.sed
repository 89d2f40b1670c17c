# caught by: encoding/types/bool
s/if type(value) is not int or not 0/if not isinstance(value, int) or not 0/
