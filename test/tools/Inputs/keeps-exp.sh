#!/bin/sh
# 1 while the module is interesting.
! grep -q kiln.exp "$1"
