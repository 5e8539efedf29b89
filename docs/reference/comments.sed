#!/usr/bin/sed -Ef
# Turns the comments of our headers into those that doxygen reads.
# The first comment of a file is about the file.
1s|^// |/// \\file\n/// |
1s|^/\* |/** \\file\n * |
s|([;,{] +)// |\1///< |
s|([;,{] +)/\* (.*)\*/|\1/**< \2*/|
s|^( *)//( .*)$|\1///\2|
s|^( *)/\* |\1/** |
