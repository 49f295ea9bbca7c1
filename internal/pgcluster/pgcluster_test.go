package pgcluster_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/pgcluster"
)

// TestMain doubles as a parent process that is killed: it starts a cluster, says where it is, and waits.
func TestMain(m *testing.M) {
	dir := os.Getenv("PGCLUSTER_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	if dir == "temporary" {
		dir = ""
	}
	c, err := pgcluster.Start(context.Background(), pgcluster.Options{Dir: dir, Throwaway: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(c.URL("postgres"))
	<-c.Done()
	os.Exit(1)
}

// parent starts this test binary as the owner of a cluster and returns it and the cluster's URL.
func parent(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "PGCLUSTER_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent process said nothing: %v", err)
	}
	return cmd, strings.TrimSpace(url)
}

func query[T any](t *testing.T, url, sql string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var v T
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after 30 s: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// alive is false for a zombie that nobody collects, too.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func TestCluster_keepsItsDataOverStopAndStart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "pg")
	for run := range 2 {
		c, err := pgcluster.Start(t.Context(), pgcluster.Options{Dir: dir, Throwaway: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CreateDatabase(t.Context(), "books"); err != nil {
			t.Fatal(err)
		}
		if run == 0 {
			execute(t, c.URL("books"), "CREATE TABLE t (n int)")
		}
		execute(t, c.URL("books"), "INSERT INTO t VALUES (1)")
		if got := query[int](t, c.URL("books"), "SELECT count(*) FROM t"); got != run+1 {
			t.Fatalf("run %d: %d rows, want %d", run, got, run+1)
		}
		c.Stop()
		c.Stop() // twice does no harm
	}
}

func TestCluster_diesWithAParentThatIsKilledAndStartsAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "pg")
	cmd, url := parent(t, dir)
	pid := query[string](t, url, "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)")
	server, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// Started at once: the old server may still be going down.
	c, err := pgcluster.Start(t.Context(), pgcluster.Options{Dir: dir, Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if alive(server) {
		t.Errorf("process %d outlived its parent", server)
	}
}

func TestCluster_leavesNothingInTemporaryDirectoriesAfterKill(t *testing.T) {
	t.Parallel()
	cmd, url := parent(t, "temporary")
	data := query[string](t, url, "SHOW data_directory")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(t, "the temporary directory is gone", func() bool {
		_, err := os.Stat(filepath.Dir(data))
		return os.IsNotExist(err)
	})
}

func TestCluster_startsOverAStaleLockFileOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "pg")
	c, err := pgcluster.Start(t.Context(), pgcluster.Options{Dir: dir, Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	c.Stop()
	// Our own number: alive, and no Postgres.
	stale := fmt.Sprintf("%d\n%s\n1\n5432\n/tmp\n\n  0 0\nready\n", os.Getpid(), dir)
	if err := os.WriteFile(filepath.Join(dir, "postmaster.pid"), []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err = pgcluster.Start(t.Context(), pgcluster.Options{Dir: dir, Throwaway: true}); err != nil {
		t.Fatal(err)
	}
	c.Stop()
}

// openDir is a temporary directory that another user (postgres, when the test runs as root) can pass through.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgcluster-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
