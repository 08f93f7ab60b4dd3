"""Connectivity of the comparison graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Bools, Ints


def components(n: int, first: Ints, second: Ints) -> Ints:
    """Label the connected components, numbered by their smallest essay, (n,).

    Every essay points at the smallest essay known to be linked with it; pointers are halved
    until nothing changes, so the number of passes grows with the log of the longest path.

    Parameters
    ----------
    n : int
        Number of essays.
    first, second : (m,) array of int
        The two essays of every comparison.

    Returns
    -------
    (n,) array of int
        0, 1, ... by component.
    """
    label = np.arange(n)
    while True:
        a, b = label[first], label[second]
        low = np.minimum(a, b)
        if np.array_equal(a, b):
            break
        np.minimum.at(label, a, low)
        np.minimum.at(label, b, low)
        while True:
            shorter = label[label]
            if np.array_equal(shorter, label):
                break
            label = shorter
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def strong_components(n: int, winner: Ints, loser: Ints) -> Ints:
    """Label the strongly connected components of the graph loser -> winner, (n,).

    Parameters
    ----------
    n : int
        Number of essays.
    winner, loser : (m,) array of int
        The two essays of every verdict; a tie is there both ways.

    Returns
    -------
    (n,) array of int
        0, 1, ... by component, in no order.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    graph = csr_array((np.ones(len(winner), dtype=np.int8), (loser, winner)), shape=(n, n))
    labels = connected_components(graph, directed=True, connection="strong")[1]
    return np.asarray(labels, dtype=np.int64)


def outside_core(n: int, component: Ints, winner: Ints, loser: Ints) -> Bools:
    """Mark essays outside the largest strongly connected core of their component, (n,).

    Parameters
    ----------
    n : int
        Number of essays.
    component : (n,) array of int
        Connected component of each essay.
    winner, loser : (m,) array of int
        The two essays of every verdict; a tie is there both ways.

    Returns
    -------
    (n,) array of bool
    """
    strong = strong_components(n, winner, loser)
    size = np.bincount(strong)
    largest = np.zeros(int(component.max()) + 1, dtype=np.int64)
    np.maximum.at(largest, component, size[strong])
    core = np.full(len(largest), -1)
    biggest = np.flatnonzero(size[strong] == largest[component])[::-1]
    core[component[biggest]] = strong[biggest]
    outside: Bools = strong != core[component]
    return outside
