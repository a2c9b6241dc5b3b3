// Package bench carries the workloads that poolctl is judged by, for `poolctl
// bench --suite` and for the comparison with other libraries in peers/.
//
// It imports the standard library only and promises that every workload's
// name is unique.
package bench
