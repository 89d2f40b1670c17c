# caught by: pointers/null
s/        elif spec\["target"\] >= len(buffers):/        if spec["target"] >= len(buffers):/
