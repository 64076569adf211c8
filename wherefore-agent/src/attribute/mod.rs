//! Who and where: adds owners to an interval. Owns the ways to find out; refuses to count anything.
