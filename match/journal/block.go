package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A replay is magic, blocks and a trailer; docs/REPLAY.md says it in full.
const (
	magic        = "\x89MUSTER\n"
	trailerMagic = "MUSTEND\n"
	trailerLen   = 8 + 8 + 4
	headLen      = 1 + 5*4
)

// The kinds of blocks. A reader passes over kinds that it does not know.
const (
	blockHeader     = 1
	blockTicks      = 2
	blockCheckpoint = 3
	blockIndex      = 4
)

const (
	// blockTarget is how many bytes of records make a block: enough to compress well, little enough to lose.
	blockTarget = 64 << 10
	maxBlocks   = 1 << 20
	// slack is what zstd may add to what does not compress, and more.
	slack = 1 << 20
)

// maxInflated bounds the content of a block before compression.
func maxInflated(kind uint8) int64 {
	switch kind {
	case blockHeader:
		return 1 << 17
	case blockTicks:
		return blockTarget + MaxRecord
	case blockIndex:
		return 32 << 20
	}
	return MaxCheckpoint
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Both are safe to share: whole blocks only are given to them.
var (
	compressor = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false),
			zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	decompressor = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err) // the options are constants
		}
		return d
	})
)

// head is what precedes a block's content.
type head struct {
	kind        uint8
	length      uint32 // of the content as it is stored
	inflated    uint32 // of the content before compression
	first, last uint32 // the ticks that the block is about
	sum         uint32 // CRC-32C of the rest of the head and the content
}

// appendBlock appends a whole block to dst.
func appendBlock(dst []byte, kind uint8, first, last uint32, content []byte) []byte {
	from := len(dst)
	dst = append(dst, make([]byte, headLen)...)
	dst = compressor().EncodeAll(content, dst)
	b := dst[from:]
	b[0] = kind
	binary.LittleEndian.PutUint32(b[1:], length(b[headLen:]))
	binary.LittleEndian.PutUint32(b[5:], length(content))
	binary.LittleEndian.PutUint32(b[9:], first)
	binary.LittleEndian.PutUint32(b[13:], last)
	binary.LittleEndian.PutUint32(b[17:], checksum(b))
	return dst
}

// checksum is that of a whole block.
func checksum(block []byte) uint32 {
	return crc32.Update(crc32.Checksum(block[:headLen-4], castagnoli), castagnoli, block[headLen:])
}

func length(b []byte) uint32 { return uint32(min(len(b), math.MaxUint32)) }

// parseHead reads a block's head and checks its bounds.
func parseHead(b []byte) (head, error) {
	h := head{
		kind:     b[0],
		length:   binary.LittleEndian.Uint32(b[1:]),
		inflated: binary.LittleEndian.Uint32(b[5:]),
		first:    binary.LittleEndian.Uint32(b[9:]),
		last:     binary.LittleEndian.Uint32(b[13:]),
		sum:      binary.LittleEndian.Uint32(b[17:]),
	}
	if bound := maxInflated(h.kind); int64(h.inflated) > bound || int64(h.length) > bound+slack {
		return h, fmt.Errorf("%w: a block of kind %d has %d bytes, %d inflated", ErrMalformed, h.kind, h.length, h.inflated)
	}
	if h.first > h.last {
		return h, fmt.Errorf("%w: a block from tick %d to %d", ErrMalformed, h.first, h.last)
	}
	return h, nil
}

var errChecksum = errors.New("the checksum differs")

// inflate checks a whole block and returns its content, in dst where that is large enough.
func (h *head) inflate(block, dst []byte) ([]byte, error) {
	if checksum(block) != h.sum {
		return nil, fmt.Errorf("%w: a block of kind %d: %w", ErrMalformed, h.kind, errChecksum)
	}
	if cap(dst) < int(h.inflated) {
		dst = make([]byte, 0, h.inflated)
	}
	out, err := decompressor().DecodeAll(block[headLen:], dst[:0:h.inflated]) // never grows beyond that
	if err == nil && length(out) != h.inflated {
		err = fmt.Errorf("%d bytes inflated, %d announced", len(out), h.inflated)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: a block of kind %d: %w", ErrMalformed, h.kind, err)
	}
	return out, nil
}
