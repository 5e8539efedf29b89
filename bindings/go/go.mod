module actionhist

go 1.19
