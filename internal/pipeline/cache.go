package pipeline

import (
	"slices"
	"sync"
)

// Cache compiles a pipeline for inputs of differing types and shapes, and keeps
// the graphs of the last few. It may be used from several goroutines.
type Cache struct {
	compile func(Input) (*Graph, error)
	mutex   sync.Mutex
	graphs  []*Graph // the last one used at the end
}

// mostGraphs bounds the graphs that a cache keeps: an engine keeps as many
// runners.
const mostGraphs = mostRunners

// NewCache returns an empty cache; compile makes a graph for an input.
func NewCache(compile func(Input) (*Graph, error)) *Cache { return &Cache{compile: compile} }

// Graph returns the graph for an input, compiled now or earlier. Errors are not
// kept.
func (c *Cache) Graph(in Input) (*Graph, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	i := slices.IndexFunc(c.graphs, func(g *Graph) bool {
		return g.Input.Picture == in.Picture && g.Input.Spec.Equal(in.Spec)
	})
	if i >= 0 {
		g := c.graphs[i]
		c.graphs = append(slices.Delete(c.graphs, i, i+1), g)
		return g, nil
	}
	g, err := c.compile(in)
	if err != nil {
		return nil, err
	}
	if len(c.graphs) == mostGraphs {
		c.graphs = slices.Delete(c.graphs, 0, 1)
	}
	c.graphs = append(c.graphs, g)
	return g, nil
}
