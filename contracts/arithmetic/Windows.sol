// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Descriptor } from "../libraries/ModelTree.sol";

/// @dev Terms [from, to) of what the kernel covers at one place of an image (height, width, channels). A term is one
/// element of the kernel, row by row: of all channels for a convolution, else of one.
struct Window {
    uint256 from;
    uint256 to;
    /// rows [top, bottom) of the kernel lie on the image and have terms of [from, to)
    uint256 top;
    uint256 bottom;
    /// terms of a whole row, and which of them lie on the image: [left, right)
    uint256 rowTerms;
    uint256 left;
    uint256 right;
    /// elements of the image from one term to the next in the same row, and from one row to the next
    uint256 step;
    uint256 rowStep;
    /// the image's element under the kernel's first; negative if that is on padding above
    int256 origin;
}

/// @title Windows of convolutions and pools
library Windows {
    /// @param element of the output, which is (height, width, channels)
    /// @param whole whether terms go over all channels, or only the element's own
    /// @param from the first term wanted, and `to` the one after the last
    /// @return window its window on the input
    function at(Descriptor calldata node, uint256 element, bool whole, uint256 from, uint256 to)
        internal
        pure
        returns (Window memory window)
    {
        uint256 pixel = element / node.shape[3];
        uint256 channels = node.inputShape[3];
        uint256 depth = whole ? channels : 1;
        // the row is what the division is for
        // slither-disable-next-line divide-before-multiply
        int256 y = int256(pixel / node.shape[2] * node.stride[0]) - int256(node.padding[0]);
        int256 x = int256(pixel % node.shape[2] * node.stride[1]) - int256(node.padding[1]);
        (window.from, window.to) = (from, to);
        window.rowTerms = node.kernel[1] * depth;
        (uint256 first, uint256 last) = _covered(y, node.kernel[0], node.inputShape[1]);
        window.top = _max(first, from / window.rowTerms);
        window.bottom = _min(last, (to - 1) / window.rowTerms + 1);
        (first, last) = _covered(x, node.kernel[1], node.inputShape[2]);
        (window.left, window.right) = (first * depth, last * depth);
        window.step = whole ? 1 : channels;
        window.rowStep = node.inputShape[2] * channels;
        window.origin = y * int256(window.rowStep) + x * int256(channels) + int256(whole ? 0 : element % channels);
        if (window.rowStep == window.rowTerms * window.step && last - first == node.kernel[1]) _join(window);
    }

    /// @return first the first of the window's terms that lie in row `row` of the kernel and on the image
    /// @return count how many there are; they follow each other
    /// @return offset where in the image the first one's element is; the others follow at `window.step`
    function run(Window memory window, uint256 row)
        internal
        pure
        returns (uint256 first, uint256 count, uint256 offset)
    {
        // every number of a valid node is far below 2^64, and so is every product of two
        unchecked {
            uint256 start = row * window.rowTerms;
            first = start + window.left;
            if (first < window.from) first = window.from;
            uint256 last = start + window.right;
            if (last > window.to) last = window.to;
            if (first < last) count = last - first;
            offset = uint256(window.origin) + row * window.rowStep + (first - start) * window.step;
        }
    }

    /// @dev The kernel is as wide as the image and lies on it: all its rows are one.
    function _join(Window memory window) private pure {
        window.from = _max(window.from, window.top * window.rowTerms);
        window.to = _min(window.to, window.bottom * window.rowTerms);
        window.right = window.to;
        (window.top, window.bottom) = (0, window.top < window.bottom ? 1 : 0);
    }

    /// @return from the first of `kernel` places from `start` on that lies in [0, side), and `to` the one after the last
    function _covered(int256 start, uint256 kernel, uint256 side) private pure returns (uint256 from, uint256 to) {
        from = start < 0 ? uint256(-start) : 0;
        int256 room = int256(side) - start;
        to = room < int256(kernel) ? uint256(room) : kernel;
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
