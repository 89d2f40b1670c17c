# caught by: encoding/integers/signed encoding/integers/in-a-call
s/^             0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}/             0xD3: ">q"}/
