"""Arrays in, arrays out, numpy only. No tensor names, no files, no settings, no torch."""
