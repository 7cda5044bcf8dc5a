module fcpause.example/export_memory

go 1.20
