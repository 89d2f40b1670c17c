# caught by: bad-input/offset
s/        if refusal.path:/        if False:/
