# caught by: encoding/duplicate/ping encoding/duplicate/in-two-forms bad-input/twice
s/^            if name in out:/            if False:/
