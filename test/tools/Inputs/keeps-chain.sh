#!/bin/sh
# 1 while the module is interesting.
! { grep -q kiln.negative "$1" && [ "$(grep -c kiln.add "$1")" = 4 ]; }
