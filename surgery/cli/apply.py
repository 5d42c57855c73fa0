def command():
    "x"
