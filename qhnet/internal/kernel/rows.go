package kernel

// AddRow adds a row vector to each row of x, rows of len(row) values.
func AddRow(x, row []float64) {
	rows := countRows(x, row)
	read(row)
	write(x)
	switch {
	case rows == 0:
	case active == avx512:
		addRowAVX512(&row[0], &x[0], len(row)*word, rows, len(row))
	case active == avx2:
		addRowAVX2(&row[0], &x[0], len(row)*word, rows, len(row))
	default:
		for ; len(x) > 0; x = x[len(row):] {
			for i, v := range row {
				x[i] += v
			}
		}
	}
}

// SumRows adds all rows of x, of len(sum) values each, to sum.
func SumRows(sum, x []float64) {
	rows := countRows(x, sum)
	read(x)
	write(sum)
	switch {
	case rows == 0:
	case active == avx512:
		sumRowsAVX512(&sum[0], &x[0], len(sum)*word, rows, len(sum))
	case active == avx2:
		sumRowsAVX2(&sum[0], &x[0], len(sum)*word, rows, len(sum))
	default:
		for ; len(x) > 0; x = x[len(sum):] {
			for i := range sum {
				sum[i] += x[i]
			}
		}
	}
}

func countRows(x, row []float64) int {
	if len(x) == 0 {
		return 0
	}
	if len(row) == 0 || len(x)%len(row) != 0 {
		panic("qhnet: the matrix has no whole number of rows")
	}
	return len(x) / len(row)
}
