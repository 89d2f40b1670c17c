# caught by: executor/descriptors/lowest
s/fcntl.F_DUPFD_CLOEXEC, 200)/fcntl.F_DUPFD_CLOEXEC, 3)/
