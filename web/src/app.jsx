import "./report.jsx";
