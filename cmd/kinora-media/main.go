// Command kinora-media is the child that touches media: it decodes, scales, encodes and measures MPEG-TS segments that
// arrive on stdin, and answers on stdout (internal/media/wire). It opens no file and no connection, and ends with its stdin.
package main

import (
	"fmt"
	"os"

	"github.com/kinora/kinora/cmd/kinora-media/internal/engine"
	"github.com/kinora/kinora/cmd/kinora-media/internal/hostile"
	"github.com/kinora/kinora/cmd/kinora-media/internal/jail"
)

func main() {
	hold, lack := jail.Layers()
	if len(os.Args) == 3 && os.Args[1] == "sandbox-test" { // kinora's own, of the jail that every child is in
		exit(hostile.Try(os.Args[2], os.Stdin, os.Stdout, hold))
	}
	if st, err := os.Stdin.Stat(); len(os.Args) > 1 || err != nil || st.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintln(os.Stderr, "kinora-media is started by kinora, which talks to it over stdin and stdout; it takes no arguments.")
		os.Exit(2)
	}
	exit(engine.Serve(os.Stdin, os.Stdout, hold, lack))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "kinora-media:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
