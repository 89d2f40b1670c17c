# caught by: encoding/types/str-for-bin bad-input/types
s/if type(value) is not bytes:/if not isinstance(value, bytes):/
