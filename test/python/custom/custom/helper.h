enum { OFFSET = 0 };
