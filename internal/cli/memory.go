package cli

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/ops"
)

// checkMemory refuses a plan that needs more than --max-memory, with extra
// bytes beside the plan's own.
func (a *app) checkMemory(plan *ops.Plan, extra int) error {
	need, err := plan.Bytes(a.Threads)
	if err != nil {
		return &limitError{plan.Op + ": " + err.Error(), ""}
	}
	need += extra
	if a.MaxMemory > 0 && (need > int(a.MaxMemory) || need < 0) {
		return &limitError{
			fmt.Sprintf("%s: needs %s of memory, the limit is %s", plan.Op, formatBytes(need), formatBytes(int(a.MaxMemory))),
			"--max-memory raises the limit; fewer --threads need less scratch memory"}
	}
	return nil
}
