// Package imgiotest helps the tests of file formats. Only tests import it.
package imgiotest
