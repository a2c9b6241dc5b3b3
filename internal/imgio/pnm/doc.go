// Package pnm reads and writes netpbm's formats: PBM, PGM and PPM, plain and raw,
// and PAM, of 8 and 16 bits. Samples whose maxval is neither 255 nor 65535 are
// scaled to the full range of 8 or 16 bits. Of several pictures in a file the
// first is read.
//
// The formats are defined at https://netpbm.sourceforge.net/doc/ (pbm.html,
// pgm.html, ppm.html, pam.html). The package imports tensor, input, raster, format
// and the standard library.
package pnm
