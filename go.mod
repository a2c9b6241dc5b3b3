module github.com/poolctl/poolctl

go 1.26
