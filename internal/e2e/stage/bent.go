package stage

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A clock that is wrong and a disk that is slow are no faults that a process can be given from outside. So the program is
// built once more with a time.Now that is 30 seconds ahead, and Postgres is started with a library before its own that holds
// up fsync, or tells the wrong time.

// skewed restarts a role as a program whose clock is ahead, until the load is over.
func skewed(who victim) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		program, err := s.ahead(ctx)
		if err != nil {
			return err
		}
		p, err := who(ctx, s)
		if err != nil {
			return err
		}
		if err := p.Kill(); err != nil {
			return err
		}
		p.program = program
		s.mend = append(s.mend, func(ctx context.Context) error {
			p.program = s.o.Kinora
			if err := p.Kill(); err != nil {
				return err
			}
			return p.Start(ctx)
		})
		return restarted(ctx, p)
	}
}

// Mend takes back what the last faults left behind.
func (s *Stage) Mend(ctx context.Context) error {
	var errs []error
	for _, f := range s.mend {
		errs = append(errs, f(ctx))
	}
	s.mend = nil
	return errors.Join(errs...)
}

// ahead builds the program whose clock is ahead. The standard library is compiled anew for it, which takes minutes the first
// time.
func (s *Stage) ahead(ctx context.Context) (string, error) {
	if s.o.Ahead == "" {
		return "", errors.New("no program whose clock is ahead: build one by Ahead, and name it in the options")
	}
	return s.o.Ahead, nil
}

// Ahead builds cmd/kinora in the module at root with a clock 30 seconds ahead, into dir.
func Ahead(ctx context.Context, root, dir string) (string, error) {
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("find Go's own source: %w", err)
	}
	original := filepath.Join(strings.TrimSpace(string(goroot)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	const head = "func Now() Time {\n"
	before, after, found := strings.Cut(string(source), head)
	line, rest, ended := strings.Cut(after, "\n")
	if !found || !ended || !strings.Contains(line, "sec, nsec, mono :=") {
		return "", fmt.Errorf("%s: Now is not what it was: teach Ahead where its seconds are", original)
	}
	bent, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(bent, []byte(before+head+line+"\n\tsec += 30\n"+rest), 0o644); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{original: bent}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, b, 0o644); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "kinora")
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, "./cmd/kinora")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build a kinora whose clock is ahead: %w: %s", err, out)
	}
	return program, nil
}

//go:embed bent/preload.c
var preload []byte

// preloaded restarts Postgres with a library that bends what setting says, until the load is over.
func preloaded(setting string) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		library := filepath.Join(s.links, "preload.so")
		if _, err := os.Stat(library); err != nil {
			source := filepath.Join(s.links, "preload.c")
			if err := os.WriteFile(source, preload, 0o644); err != nil {
				return err
			}
			if out, err := exec.CommandContext(ctx, "gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl").CombinedOutput(); err != nil {
				return fmt.Errorf("compile what bends Postgres (a C compiler is needed): %w: %s", err, out)
			}
		}
		name, value, _ := strings.Cut(setting, "=")
		restart := func(ctx context.Context, with map[string]string) error {
			s.postgres.Stop()
			for k, v := range with {
				if err := os.Setenv(k, v); err != nil {
					return err
				}
				defer os.Unsetenv(k)
			}
			return s.StartPostgres(ctx)
		}
		s.mend = append(s.mend, func(ctx context.Context) error { return restart(ctx, nil) })
		return restart(ctx, map[string]string{"LD_PRELOAD": library, name: value})
	}
}
