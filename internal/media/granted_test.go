package media_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/kinora/kinora/internal/media"
)

const crampedEnv = "KINORA_TEST_CRAMPED"

// cramped is a process in a user namespace of its own, which has room for namespaces and then has not.
func cramped() {
	if err := crampedStarts(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func crampedStarts() error {
	limit := func(n string) error { return os.WriteFile("/proc/sys/user/max_uts_namespaces", []byte(n), 0) }
	layers := func() ([]string, error) {
		c, err := media.Start(background, media.Options{})
		if err != nil {
			return nil, err
		}
		got, _ := c.Layers()
		return got, c.Close()
	}
	all, err := layers()
	if err != nil {
		return err
	}
	if !slices.Contains(all, "user-namespace") {
		return fmt.Errorf("the first child has only %v", all)
	}
	if err := limit("0"); err != nil {
		return err
	}
	if less, err := layers(); err == nil {
		return fmt.Errorf("with no room for namespaces a child started with only %v", less)
	}
	if err := limit("100"); err != nil {
		return err
	}
	again, err := layers()
	if err != nil {
		return err
	}
	if !slices.Equal(all, again) {
		return fmt.Errorf("once there is room again, a child has %v, not %v", again, all)
	}
	return nil
}

func TestChild_isNotStartedWithLessThanTheKernelGrantedBefore(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crampedEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getgid(), Size: 1}},
		AmbientCaps: []uintptr{0, 1, 7, 6, 24, 21}}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Log("there is nothing to lose: this kernel grants no user namespace at all")
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	}
}
