package livesource

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// checkFor is how long one picture of a file may take.
const checkFor = 30 * time.Second

// Check decodes the first picture of a file: one that has none would be begun again for ever.
func Check(ctx context.Context, ffmpeg, file string) error {
	ctx, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	cmd := exec.CommandContext(ctx, ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-i", file, "-map", "0:v:0", "-frames:v", "1",
		"-c:v", "libx264", "-preset", "ultrafast", "-f", "mpegts", "pipe:1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var picture, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &picture, &said
	err := cmd.Run()
	switch lines := strings.Split(strings.TrimSpace(said.String()), "\n"); {
	case err == nil && picture.Len() > 0:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: no picture was decoded within %s", file, checkFor)
	case lines[0] != "":
		return fmt.Errorf("%s has no video that can be decoded: ffmpeg says %q", file, lines[0])
	default:
		return fmt.Errorf("%s has no video that can be decoded: no picture came", file)
	}
}
