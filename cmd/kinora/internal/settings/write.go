package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Write sets values of one section of the file at path, which it makes where there is none; all else in it stays, comments
// too. Values are pairs of a key and a plain value; comment stands above the first of them that is new.
func Write(path, section, comment string, values ...[2]string) error {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write the configuration: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if doc.Kind == 0 {
		doc = yaml.Node{Kind: yaml.DocumentNode}
	}
	if len(doc.Content) == 0 || empty(doc.Content[0]) {
		doc.Content = []*yaml.Node{{Kind: yaml.MappingNode}}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want a mapping of settings", path, root.Line)
	}
	at := child(root, section)
	switch {
	case at == nil:
		at = &yaml.Node{Kind: yaml.MappingNode}
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: section}, at)
	case empty(at):
		at.Kind, at.Tag, at.Value = yaml.MappingNode, "", ""
	case at.Kind != yaml.MappingNode:
		return fmt.Errorf("%s:%d: %q: want a mapping of settings", path, at.Line, section)
	}
	for _, v := range values {
		if old := child(at, v[0]); old != nil {
			old.Kind, old.Tag, old.Style, old.Value, old.Content = yaml.ScalarNode, "", 0, v[1], nil
			continue
		}
		at.Content = append(at.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: v[0], HeadComment: comment}, &yaml.Node{Kind: yaml.ScalarNode, Value: v[1]})
		comment = ""
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(&doc), e.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return replace(path, out.Bytes())
}

// child is the value behind key in a mapping.
func child(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// replace writes a file whole or not at all, with the rights it had.
func replace(path string, b []byte) error {
	mode := fs.FileMode(0o600)
	if st, err := os.Stat(path); err == nil {
		mode = st.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the configuration: %w", err), os.Remove(f.Name()))
	}
	return nil
}
