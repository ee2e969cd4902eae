// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Descriptor } from "../libraries/ModelTree.sol";

/// @dev What the kernel covers at one place of an image (height, width, channels): rows [top, bottom) and columns
/// [left, right) of the kernel lie on the image, the rest on padding. A term is one element of the kernel, which is
/// `rowTerms` to a row and `depth` to a column: all channels for a convolution, else 1.
struct Window {
    uint256 top;
    uint256 bottom;
    uint256 left;
    uint256 right;
    uint256 depth;
    uint256 rowTerms;
    /// elements of the image: from one row, and one column, to the next
    uint256 rowStep;
    uint256 columnStep;
    /// where in the image the kernel's first element would be; negative if it is above
    int256 origin;
}

/// @dev Terms [from, to) of a window, in one row of the kernel and on the image; the first one's element is at `offset` of
/// the image.
struct Run {
    uint256 from;
    uint256 to;
    uint256 offset;
}

/// @title Windows of convolutions and pools
library Windows {
    /// @param element of the output, which is (height, width, channels)
    /// @return window its window on the input; whole pixels if `whole`, else only the channel of the element
    function at(Descriptor calldata node, uint256 element, bool whole) internal pure returns (Window memory window) {
        uint256 pixel = element / node.shape[3];
        uint256 channels = node.inputShape[3];
        int256 y = int256(pixel / node.shape[2] * node.stride[0]) - int256(node.padding[0]);
        int256 x = int256(pixel % node.shape[2] * node.stride[1]) - int256(node.padding[1]);
        (window.top, window.bottom) = _covered(y, node.kernel[0], node.inputShape[1]);
        (window.left, window.right) = _covered(x, node.kernel[1], node.inputShape[2]);
        window.depth = whole ? channels : 1;
        window.rowTerms = node.kernel[1] * window.depth;
        window.columnStep = channels;
        window.rowStep = node.inputShape[2] * channels;
        window.origin = y * int256(window.rowStep) + x * int256(channels);
        if (!whole) window.origin += int256(element % channels);
    }

    /// @return first the first row of the kernel, and `last` the row after the last, with terms of [from, to) on the image
    function rows(Window memory window, uint256 from, uint256 to) internal pure returns (uint256 first, uint256 last) {
        first = from / window.rowTerms;
        last = (to + window.rowTerms - 1) / window.rowTerms;
        if (first < window.top) first = window.top;
        if (last > window.bottom) last = window.bottom;
    }

    /// @return terms those of [from, to) that lie in row `row` of the kernel and on the image; none if `to` is not above
    /// `from`
    function run(Window memory window, uint256 row, uint256 from, uint256 to) internal pure returns (Run memory terms) {
        uint256 start = row * window.rowTerms;
        terms.from = start + window.left * window.depth;
        terms.to = start + window.right * window.depth;
        if (terms.from < from) terms.from = from;
        if (terms.to > to) terms.to = to;
        uint256 along = (terms.from - start) * (window.columnStep / window.depth);
        terms.offset = uint256(window.origin + int256(row * window.rowStep + along));
    }

    /// @return from the first of `kernel` places from `start` on that lies in [0, side), and `to` the one after the last
    function _covered(int256 start, uint256 kernel, uint256 side) private pure returns (uint256 from, uint256 to) {
        from = start < 0 ? uint256(-start) : 0;
        int256 room = int256(side) - start;
        to = room < int256(kernel) ? uint256(room) : kernel;
    }
}
