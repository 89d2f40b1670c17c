# caught by: envelope/malformed/count
s/len(envelope) != 6:/len(envelope) < 6:/; s/^        kind, request_id, op, worker, generation, fields = envelope/        kind, request_id, op, worker, generation, fields = envelope[:6]/
