module fcpause.example/free_pages

go 1.20
