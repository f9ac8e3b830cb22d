package journal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// disk is what Files changes the disk with. Tests give it one that is full.
type disk interface {
	open(name string, flag int) (diskFile, error)
	rename(from, to string) error
	mkdir(name string) error
	remove(name string) error // and what is in it
}

type diskFile interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// realDisk is the operating system's.
type realDisk struct{}

func (realDisk) open(name string, flag int) (diskFile, error) {
	return os.OpenFile(name, flag, 0o600) //nolint:gosec,wrapcheck // names are escaped; errors name the file
}

func (realDisk) rename(from, to string) error { return os.Rename(from, to) }      //nolint:wrapcheck // names the file
func (realDisk) mkdir(name string) error      { return os.MkdirAll(name, 0o700) } //nolint:wrapcheck // names the file
func (realDisk) remove(name string) error     { return os.RemoveAll(name) }       //nolint:wrapcheck // names the file

// replace makes a file of that name with what write writes, whole or not at all, and durable.
func replace(d disk, name string, write func(io.Writer) error) (size int64, err error) {
	temp := name + ".tmp"
	f, err := d.open(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return 0, err
	}
	w := io.NewOffsetWriter(f, 0)
	err = write(w)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		size, _ = w.Seek(0, io.SeekCurrent)
		err = d.rename(temp, name)
	}
	if err != nil {
		_ = d.remove(temp) // the first error counts, and the next start removes it
		return 0, fmt.Errorf("writing %s: %w", filepath.Base(name), err)
	}
	return size, syncDir(filepath.Dir(name))
}

// WriteFile writes a replay of that name, with what fill gives it; it comes to its name whole or not at all. Its folder is
// made where there is none.
func WriteFile(name string, h Header, fill func(*Writer) error) error {
	err := realDisk{}.mkdir(filepath.Dir(name))
	if err == nil {
		_, err = replace(realDisk{}, name, func(out io.Writer) error {
			w, err := NewWriter(out, h)
			if err == nil {
				err = fill(w)
			}
			if err != nil {
				return err
			}
			return w.Close()
		})
	}
	if err != nil {
		return fmt.Errorf("keeping a replay: %w", err)
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(name string) error {
	dir, err := os.Open(name) //nolint:gosec // names are escaped
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	err = dir.Sync()
	if cerr := dir.Close(); err == nil {
		err = cerr
	}
	return err
}
