"""Reports: self-contained HTML pages with charts drawn here, as SVG."""
